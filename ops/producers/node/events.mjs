// Prints every change of every invitation, with the npm package redis. Several of these share the work; each change is
// seen at least once, also by who was away, as long as it stands in the stream (the last 100,000).
import { hostname } from "node:os";
import { createClient } from "redis";

const EVENTS = "invitations:events";
const GROUP = "shop";
// Of several on one host each has a name of its own, which it keeps: Redis remembers every one.
const NAME = process.env.READER ?? hostname();

const redis = await createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379/0" }).connect();

/** One after the other, without end; each is done with when the next is asked for. */
async function* events() {
  await redis.xGroupCreate(EVENTS, GROUP, "0", { MKSTREAM: true }).catch((error) => {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  });
  for (;;) {
    const left = await redis.xAutoClaim(EVENTS, GROUP, NAME, 60_000, "0");
    const fresh = await redis.xReadGroup(GROUP, NAME, { key: EVENTS, id: ">" }, { COUNT: 100, BLOCK: 1000 });
    for (const { id, message } of [...left.messages, ...(fresh ?? []).flatMap((stream) => stream.messages)]) {
      yield message;
      await redis.xAck(EVENTS, GROUP, id);
    }
  }
}

for await (const event of events()) {
  console.log(event.id, event.account, event.order, event.state, event.reason);
}
