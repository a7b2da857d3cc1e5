/** WebAssembly modules and their faces in JavaScript: checked before anything of them runs. */

/**
 * Fetches a file and refuses it unless it is the one that the page names.
 * @param {string} url
 * @param {string} integrity `sha384-…`
 */
async function checked(url, integrity) {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`a file of it is missing (${response.status}).`);
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-384', bytes));
  const found = `sha384-${btoa(String.fromCharCode(...digest))}`;
  if (found !== integrity) throw new Error('a file of it is not the one that this page was made with.');
  return { bytes, found };
}

/**
 * Starts a module; gives its face and the hash of its code.
 * @param {import('../types.js').ModuleFiles} files
 */
export async function startModule(files) {
  const [wasm] = await Promise.all([
    checked(files.wasm, files.wasmIntegrity),
    checked(files.glue, files.glueIntegrity),
  ]);
  const glue = await import(files.glue);
  await glue.default({ module_or_path: await WebAssembly.compile(wasm.bytes) });
  return { glue, wasmHash: wasm.found };
}

/**
 * Fills the whole linear memory with zeros and starts a clean instance of the same module.
 * @param {any} glue
 */
export function wipeModule(glue) {
  const memory = /** @type {WebAssembly.Memory} */ (glue.linear_memory());
  new Uint8Array(memory.buffer).fill(0);
  glue.__wbg_reset_state();
}
