// BullMQ with its limiter, and `rateLimit` for what the provider refuses all the same.
import { Queue, Worker } from "bullmq";
import { invite } from "./call.mjs";

const load = JSON.parse(process.env.BENCH_LOAD);
const connection = { url: load.redis_url, maxRetriesPerRequest: null };
const limiter = load.count ? { max: load.count, duration: load.period * 1000 } : undefined;
const queue = new Queue("invite", { connection });

async function work({ data: { token, job } }) {
  const wait = await invite(load.url, token, job);
  if (wait !== undefined) {
    await queue.rateLimit(wait * 1000);
    throw Worker.RateLimitError();
  }
}

const worker = new Worker("invite", work, {
  connection,
  limiter,
  concurrency: load.concurrency,
  removeOnComplete: { count: 0 },
});
worker.on("error", (error) => console.error(error.message));

process.once("SIGTERM", async () => {
  await worker.close();
  await queue.close();
  process.exit();
});
