"""localstripe, a stateful Stripe server that others wrote, on a free port of 127.0.0.1, with one thing more: its script
for pages together with what our pages need of Stripe's (`stripe_shim.js`), at /stripe.js. Writes its port to stdout."""

import pathlib
import socket
import sys

import localstripe
from aiohttp import web
from localstripe.server import app

SCRIPTS = pathlib.Path(localstripe.__file__).parent / "localstripe-v3.js", pathlib.Path(__file__).with_name("stripe_shim.js")


@web.middleware
async def script(request, handler):
    if request.path != "/stripe.js":
        if "Authorization" not in request.headers:
            # Pages ask with the publishable key, which localstripe takes for few things only.
            request = request.clone(headers={**request.headers, "Authorization": "Bearer sk_test_12345"})
        return await handler(request)
    text = "\n".join(path.read_text() for path in SCRIPTS)
    return web.Response(text=text, content_type="text/javascript", headers={"Cache-Control": "no-store"})


# The first of its middlewares is the outermost: nobody is asked for a key.
app.middlewares.insert(0, script)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
web.run_app(app, sock=listener, print=None, access_log=None, handle_signals=True)
sys.exit(0)
