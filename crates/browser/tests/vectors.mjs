// Runs the protocol's vectors in the WebAssembly that the browser is given: the same compiled functions, in
// the module from which the bundle takes the two exports for this run, and what only they reach.
// `node vectors.mjs`, with SECURE_MESSAGING_WASM_DIR naming the folder of core.js and
// SECURE_MESSAGING_WYCHEPROOF_DIR the one that the protocol's example `wycheproof_vectors` wrote.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const wasm = process.env.SECURE_MESSAGING_WASM_DIR ?? 'target/vectors-wasm';
const published = fileURLToPath(new URL('../../protocol/vectors/', import.meta.url));
const wycheproof = process.env.SECURE_MESSAGING_WYCHEPROOF_DIR ?? 'target/tmp/wycheproof';
const core = await import(pathToFileURL(join(wasm, 'core.js')).href);
core.initSync({ module: await readFile(join(wasm, 'core_bg.wasm')) });
// Whoever makes a core hands the host's normalization in, for passphrases and names.
new core.BrowserCore('https://chat.example').free();

let passed = 0;
let failed = 0;

function check(name, action) {
  try {
    const what = action();
    console.log(`${name}: ${what}`);
  } catch (error) {
    failed += 1;
    console.error(`${name}: ${error.message ?? error}`);
  }
}

/** @param {string} file @returns {Promise<string | Error>} its text, or why there is none */
const textOf = (file) => readFile(file, 'utf8').catch((error) => error);

/** @param {string | Error} text @returns {number} how many of its vectors hold: all, and there are some */
function run(text) {
  if (typeof text !== 'string') throw text;
  const count = core.run_vectors(text);
  if (count === 0) throw new Error('has no vectors');
  return count;
}

/** @param {string} folder */
async function jsonIn(folder) {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
}

const own = await jsonIn(published);
if (own.length === 0) {
  failed += 1;
  console.error(`no vectors in ${published}`);
}
// A file for every algorithm of the suite: one that is missing was not run.
const suite = ['x25519', 'ed25519', 'chacha20_poly1305', 'hkdf_sha512', 'ml_kem_1024', 'ml_dsa_87'];
const theirs = suite.map((name) => join(wycheproof, `${name}.json`));
for (const file of [...own, ...theirs]) {
  const text = await textOf(file);
  check(file, () => {
    const count = run(text);
    passed += count;
    return `${count} vectors hold`;
  });
}

const native = await readFile(join(published, 'protocol.json'), 'utf8');
check('native and WebAssembly', () => {
  if (core.produce_vectors(1) !== native) {
    throw new Error('do not make the same bytes of the same seed');
  }
  passed += 1;
  return 'make the same bytes of the same seed';
});

// The controls: a vector that must be refused is declared good; a file has no vectors; a file is not there. The run has to
// notice each.
const wrong = JSON.parse(native);
const refused = wrong.vectors.find((vector) => vector.result === 'reject');
refused.result = 'accept';
delete refused.error;
const controls = {
  'a wrong vector': JSON.stringify(wrong),
  'a file without vectors': JSON.stringify({ ...wrong, vectors: [] }),
  'a missing file': await textOf(join(wycheproof, 'not-there.json')),
};
for (const [what, text] of Object.entries(controls)) {
  check(`the control, ${what}`, () => {
    let noticed = false;
    try {
      run(text);
    } catch {
      noticed = true;
    }
    if (!noticed) throw new Error('was not noticed');
    passed += 1;
    return 'is noticed';
  });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
