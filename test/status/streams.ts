// Streams that are open, for tests of what is shown of them.

import { SocketLike } from '../../src/tunnel/duplex/socket-like.js';

export class FakeStream extends SocketLike {
  constructor(bytesRead = 0, bytesWritten = 0) {
    super({ allowHalfOpen: true });
    Object.assign(this, { bytesRead, bytesWritten });
    this.on('error', () => undefined);
  }

  /** More has passed. */
  carry(bytesRead: number, bytesWritten: number): void {
    Object.assign(this, {
      bytesRead: this.bytesRead + bytesRead,
      bytesWritten: this.bytesWritten + bytesWritten,
    });
  }

  /** Breaks it off, or ends it without a word. */
  async close(error?: Error): Promise<void> {
    const closed = new Promise((resolve) => this.once('close', resolve));
    this.destroy(error);
    await closed;
  }

  override _read(): void {
    // nothing comes
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}
