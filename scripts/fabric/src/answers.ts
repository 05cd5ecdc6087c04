import { connect } from 'node:net';

/** Whether the operations address of a peer or an orderer says it is well. */
export async function isHealthy(operationsPort: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${String(operationsPort)}/healthz`, { signal: AbortSignal.timeout(2000) });
  return response.ok;
}

/** Whether something listens on a port of this machine. */
export async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
