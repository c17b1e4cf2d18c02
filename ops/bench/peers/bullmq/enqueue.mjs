// The process that enqueues: reads lines, each a JSON `[token, jobs]`, and answers each with the seconds that it took.
import { createInterface } from "node:readline";
import { Queue } from "bullmq";

const { redis_url } = JSON.parse(process.env.BENCH_LOAD);
const queue = new Queue("invite", { connection: { url: redis_url } });
await queue.waitUntilReady();

for await (const line of createInterface({ input: process.stdin })) {
  const [token, jobs] = JSON.parse(line);
  const began = performance.now();
  await queue.addBulk(jobs.map((job) => ({ name: "invite", data: { token, job } })));
  console.log((performance.now() - began) / 1000);
}
await queue.close();
