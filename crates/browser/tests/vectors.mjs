// Runs the protocol's vectors in the very WebAssembly that the browser is given.
// `node vectors.mjs`, with SECURE_MESSAGING_WASM_DIR naming the folder of core.js.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const wasm = process.env.SECURE_MESSAGING_WASM_DIR ?? 'static/wasm';
const folder = new URL('../../protocol/vectors/', import.meta.url);
const core = await import(pathToFileURL(join(wasm, 'core.js')).href);
core.initSync({ module: await readFile(join(wasm, 'core_bg.wasm')) });

let passed = 0;
let failed = 0;
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
for (const name of files) {
  const text = await readFile(new URL(name, folder), 'utf8');
  try {
    const count = core.run_vectors(text);
    passed += count;
    console.log(`${name}: ${count} vectors hold`);
  } catch (error) {
    failed += 1;
    console.error(`${name}: ${error.message ?? error}`);
  }
}

// The control: a vector that must be refused is declared good, and the run has to notice.
const control = JSON.parse(await readFile(new URL(files[0], folder), 'utf8'));
const refused = control.vectors.find((vector) => vector.result === 'reject');
refused.result = 'accept';
delete refused.error;
try {
  core.run_vectors(JSON.stringify(control));
  failed += 1;
  console.error('the control was not noticed');
} catch {
  passed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && files.length > 0 ? 0 : 1);
