/** Waits for SIGINT or SIGTERM, then runs the ending once; a second signal changes nothing. */
export async function runUntilStopped(end: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    process.on('SIGINT', resolve);
    process.on('SIGTERM', resolve);
    // A child of the local consortium ends with its parent.
    process.on('disconnect', resolve);
  });
  await end();
  // The channel to a parent would keep the process alive.
  if (process.connected) process.disconnect();
}
