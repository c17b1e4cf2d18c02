// The provider's invite call. Node's own `fetch` would be shorter, and takes twice the CPU of all the rest.
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

const TIMEOUT_MS = 30_000;
const agent = new Agent({ keepAlive: true });

// Seconds of Retry-After where the provider refuses (429). A customer that it knows already (422) is invited.
export async function invite(url, token, job) {
  const body = JSON.stringify(job);
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  const response = await new Promise((resolve, reject) => {
    const options = { method: "POST", agent, headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
    request(url, options, resolve).on("error", reject).end(body);
  });
  await text(response);
  if (response.statusCode === 429) return Number(response.headers["retry-after"]);
  if (![201, 422].includes(response.statusCode)) throw new Error(`The provider answered ${response.statusCode}.`);
}
