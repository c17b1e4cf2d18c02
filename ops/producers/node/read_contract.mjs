// Has AsyncAPI's own parser read the document on standard input. Prints what is wrong with it, and ends with 1 then.
import { text } from "node:stream/consumers";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(await text(process.stdin));
const faults = diagnostics.filter(({ severity }) => severity <= 1);
for (const { path, message } of faults) console.error(`${path.join(".")}: ${message}`);
if (!document || faults.length) process.exitCode = 1;
else console.log(document.operations().all().length, "operations");
