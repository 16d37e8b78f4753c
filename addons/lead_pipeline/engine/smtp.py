# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""The one moment of SMTP that counts: the dot that ends a mail.

A server that loses the connection before that dot has received nothing; once it has the
dot, it has the mail, whether or not its answer reaches us. So what must survive a crash
is written down between the two.
"""

import re
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def claim_before_the_dot(
    session: smtplib.SMTP | None, claim: Callable[[], None]
) -> Iterator[None]:
    """Inside the block, mails sent by this session call ``claim`` right before their
    last dot. If that raises, the server is left without a mail, and the connection is
    closed.

    :param session: None where nothing is sent, as in Odoo's tests
    """
    if session is None:
        yield
        return
    with suppress(OSError, AttributeError):
        # the dot is a packet of its own, which must not wait to be joined by others
        session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data(message):
        """As ``smtplib.SMTP.data``, in two halves."""
        session.putcmd("data")
        code, reply = session.getreply()
        if code != 354:
            raise smtplib.SMTPDataError(code, reply)
        if isinstance(message, str):
            message = re.sub(r"\r\n|\r|\n", "\r\n", message).encode("ascii")
        body = re.sub(rb"(?m)^\.", b"..", message)
        session.send(body if body.endswith(b"\r\n") else body + b"\r\n")
        try:
            claim()
        except BaseException:
            session.close()
            raise
        session.send(b".\r\n")
        return session.getreply()

    session.data = data
    try:
        yield
    finally:
        del session.data
