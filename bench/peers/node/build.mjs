// One file for each function, with the SDK in it and minified, as functions of Node.js are deployed: `node build.mjs`.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

await build({
  entryPoints: {
    enricher: join(here, 'powertools/enricher.mjs'),
    router: join(here, 'powertools/router.mjs'),
    'enricher-hand-tuned': join(here, 'hand-tuned/enricher.mjs'),
    'router-hand-tuned': join(here, 'hand-tuned/router.mjs'),
  },
  outdir: join(here, 'dist'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // ES modules are smaller after what is not used is left out.
  mainFields: ['module', 'main'],
  // Packages that are CommonJS ask for Node's own modules by `require`, which an ES module does not have.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
