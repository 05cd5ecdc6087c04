import type { Stream } from '@libp2p/interface';

/** What a stream of @libp2p/yamux counts, in bytes: the whole window and what of it the other side may still send. */
interface ReceiveWindow {
  recvWindow: number;
  recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

/**
 * A yamux window is told again once half of it is used, as yamux was first written; @libp2p/yamux tells it after every frame, which costs each
 * message between two nodes a second one back. The stream must have its protocol agreed on: earlier updates open it.
 */
export function tellWindowByHalves(stream: Stream): void {
  if (!hasWindow(stream)) return;
  const tell = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    if (stream.recvWindowCapacity * 2 <= stream.recvWindow) tell();
  };
}

function hasWindow(stream: Stream): stream is Stream & ReceiveWindow {
  const { recvWindow, recvWindowCapacity, sendWindowUpdate } = stream as Stream & Partial<ReceiveWindow>;
  return typeof recvWindow === 'number' && typeof recvWindowCapacity === 'number' && typeof sendWindowUpdate === 'function';
}
