// Enqueues the job on standard input with the npm package redis, and prints what became of it.
import { text } from "node:stream/consumers";
import { createClient } from "redis";

const redis = await createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379/0" }).connect();

/** {id, state, created}, and faults where it was refused; null where no worker answers. `job` is a JSON text. */
async function enqueue(job) {
  const entry = await redis.xAdd("invitations:inbox", "*", { job, answer: "yes" });
  const found = await redis.blPop(`invitations:answer:${entry}`, 30);
  return found && JSON.parse(found.element);
}

const answer = await enqueue(await text(process.stdin));
await redis.close();
if (!answer) {
  console.error("no worker answered in 30 s; the job waits for one. To send it again doubles nothing.");
  process.exitCode = 1;
} else if (answer.state === "refused") {
  for (const { field, problem } of answer.faults) console.error(`${field}: ${problem}`);
  process.exitCode = 1;
} else {
  console.log(answer.id, answer.state);
}
