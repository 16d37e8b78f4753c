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
from dataclasses import dataclass


@dataclass
class Handover:
    """How it went.

    :param later: the server does not have the mail and said to try again later
    :param taken: it said that it has the mail
    """

    later: bool = False
    taken: bool = False


def says_later(error: smtplib.SMTPException) -> bool:
    """Whether a server refused for now: too many mails, greylisting, a full disk."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _text in error.recipients.values()]
    elif isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    else:
        codes = []
    return bool(codes) and all(400 <= code < 500 for code in codes)


@contextmanager
def claim_before_the_dot(
    session: smtplib.SMTP | None, claim: Callable[[], None]
) -> Iterator[Handover]:
    """Inside the block, mails sent by this session call ``claim`` right before their
    last dot. If that raises, the server is left without a mail, and the connection is
    closed.

    :param session: None where nothing is sent, as in Odoo's tests
    """
    handover = Handover()
    if session is None:
        yield handover
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
        code, reply = session.getreply()
        handover.taken = code == 250
        return code, reply

    def sendmail(*args, **kwargs):
        """As ``smtplib.SMTP.sendmail``; what is refused is remembered."""
        try:
            return type(session).sendmail(session, *args, **kwargs)
        except smtplib.SMTPException as error:
            handover.later = says_later(error)
            raise

    session.data = data
    session.sendmail = sendmail
    try:
        yield handover
    finally:
        del session.data, session.sendmail
