// Enqueues the job on standard input with the npm package celery-node, and prints what became of it.
import { json } from "node:stream/consumers";
import celery from "celery-node";

const url = process.env.REDIS_URL ?? "redis://127.0.0.1:6379/0";
const shop = celery.createClient(url, url, "invitations");

/** {id, state, created}, and faults where it was refused. Rejects where no worker answers. */
function enqueue(job) {
  return shop.sendTask("invitations.send", [job], {}).get(30_000);
}

const job = await json(process.stdin).catch(() => null);
try {
  if (job === null) throw new Error("expected a job as JSON on standard input; nothing was sent");
  const answer = await enqueue(job).catch(() => {
    throw new Error("no answer came; what was sent waits for a worker. To send it again doubles nothing.");
  });
  if (answer.state === "refused") {
    for (const { field, problem } of answer.faults) console.error(`${field}: ${problem}`);
    process.exitCode = 1;
  } else {
    console.log(answer.id, answer.state);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await shop.disconnect();
}
