/** The promise's answer, or undefined when the signal comes first; a late failure is nobody's then. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  promise.catch(() => undefined);
  if (signal.aborted) return undefined;
  let end: () => void = () => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    end = (): void => { resolve(undefined); };
    signal.addEventListener('abort', end, { once: true });
  });
  return await Promise.race([promise, aborted]).finally(() => { signal.removeEventListener('abort', end); });
}
