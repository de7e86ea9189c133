"""PyPI `convex` behind lines of JSON, so that a test in another language drives it: see `../program.js`."""

import asyncio
import json
import sys

from convex import ConvexClient


def say(line):
    print(json.dumps(line), flush=True)


async def watch(client, path, args):
    async for value in client.subscribe(path, args):
        say({"id": "watched", "value": value})


def perform(client, request, watches):
    op, path, args = request["op"], request.get("path"), request.get("args")
    if op == "signIn":
        # It takes a token, and asks for no other one.
        return client.set_auth(request["token"])
    if op == "signOut":
        return client.clear_auth()
    if op == "watch":
        return watches.append(asyncio.ensure_future(watch(client, path, args)))
    # Until these return, nothing else in the process runs: they keep the interpreter's lock.
    if op == "query":
        return client.query(path, args)
    if op == "mutation":
        return client.mutation(path, args)
    raise ValueError(f"no operation {op}")


async def main():
    client = ConvexClient(sys.argv[1])
    watches = []
    say({"ready": True})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        try:
            say({"id": request["id"], "value": perform(client, request, watches)})
        except Exception as error:
            say({"id": request["id"], "error": str(error)})


asyncio.run(main())
