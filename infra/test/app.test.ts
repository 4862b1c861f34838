import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Runs the app as the CDK CLI does: context and output folder come in through the environment. */
function runApp(testContext: TestContext, context: Record<string, unknown>) {
  const outputDirectory = mkdtempSync(join(tmpdir(), 'tributary-assembly-'));
  testContext.after(() => rmSync(outputDirectory, { recursive: true }));
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_OUTDIR: outputDirectory },
    encoding: 'utf8',
  });
  return { status, stderr, files: readdirSync(outputDirectory) };
}

test('the app writes the template of its environment', (context) => {
  const { status, stderr, files } = runApp(context, { environment: 'test', options: '{"buildFunctions":false}' });
  assert.equal(status, 0, stderr);
  assert.ok(files.includes('Tributary-test.template.json'));
});

test('wrong options end the app with their names and no stack trace', (context) => {
  const { status, stderr } = runApp(context, { options: '{"bucketName":"mine"}' });
  assert.equal(status, 1);
  assert.match(stderr, /^the options of the deployment are wrong:\n {2}bucketName: unknown; allowed are /);
  assert.doesNotMatch(stderr, /\n\s+at /);
});
