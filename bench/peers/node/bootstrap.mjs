// A runtime for the functions, `node bootstrap.mjs HANDLER-FILE`: what `aws-lambda-ric` does, on Node's own HTTP client.
// Protocol: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

import { Agent, request } from 'node:http';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

let handler;
try {
  ({ handler } = await import(pathToFileURL(resolve(process.argv[2]))));
} catch (error) {
  await call('POST', '/init/error', describe(error));
  throw error;
}

for (;;) {
  const { headers, body } = await call('GET', '/invocation/next');
  const requestId = headers['lambda-runtime-aws-request-id'];
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? '';
  const path = `/invocation/${requestId}`;
  try {
    const answer = await handler(JSON.parse(body), contextOf(headers, requestId));
    await call('POST', `${path}/response`, JSON.stringify(answer));
  } catch (error) {
    await call('POST', `${path}/error`, describe(error));
  }
}

function contextOf(headers, awsRequestId) {
  const { AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION, AWS_LAMBDA_FUNCTION_MEMORY_SIZE } = process.env;
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    awsRequestId,
    functionName: AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

function describe(error) {
  return JSON.stringify({ errorType: error.name, errorMessage: error.message, stackTrace: error.stack?.split('\n') ?? [] });
}

function call(method, path, text) {
  return new Promise((fulfil, refuse) => {
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const asked = request(`${API}${path}`, { method, agent, headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', refuse);
      answer.on('end', () => fulfil({ headers: answer.headers, body: Buffer.concat(chunks).toString('utf8') }));
    });
    asked.on('error', refuse);
    asked.end(text);
  });
}
