// BullMQ with its limiter, and `rateLimit` for what the provider refuses all the same.
import { Queue, Worker } from "bullmq";

const load = JSON.parse(process.env.BENCH_LOAD);
const connection = { url: load.redis_url, maxRetriesPerRequest: null };
const limiter = load.count ? { max: load.count, duration: load.period * 1000 } : undefined;
const queue = new Queue("invite", { connection });

async function invite({ data: { token, job } }) {
  const response = await fetch(load.url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(job),
    signal: AbortSignal.timeout(30_000),
  });
  await response.arrayBuffer();
  if (response.status === 429) {
    await queue.rateLimit(Number(response.headers.get("retry-after")) * 1000);
    throw Worker.RateLimitError();
  }
  if (!response.ok && response.status !== 422) throw new Error(`The provider answered ${response.status}.`);
}

const worker = new Worker("invite", invite, {
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
