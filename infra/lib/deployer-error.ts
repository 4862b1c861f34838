/** Something that the person who deploys can put right. The app prints its message without a stack trace. */
export class DeployerError extends Error {
  override readonly name = 'DeployerError';
}
