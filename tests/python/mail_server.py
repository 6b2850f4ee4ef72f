"""A mail server that others wrote (aiosmtpd) on a free port of 127.0.0.1. Writes its port to stdout, then each mail as a
line of JSON. The first argument is `good`, or `refuses` for one that knows no mailbox."""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if sys.argv[1] == "refuses":
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        attached = next(mail.iter_attachments())
        told = {
            "from": mail["from"],
            "to": envelope.rcpt_tos,
            "subject": mail["subject"],
            "text": mail.get_body().get_content(),
            "attachment": attached.get_filename(),
            "attachment_begins": attached.get_content()[:8].decode("latin-1"),
        }
        print(json.dumps(told), flush=True)
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="localhost", loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
