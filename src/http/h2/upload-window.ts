// How much each upload of a connection may have on its way toward us: one gets what fills a relay, many share that.

import { constants, type ServerHttp2Session } from 'node:http2';
import { UPLOAD_WINDOW_BYTES, UPLOAD_WINDOWS_BYTES } from './bounds.js';

/** Tells the client with SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113, section 6.9.2), which changes open streams' windows, too. */
export function shareUploadWindow(session: ServerHttp2Session): void {
  let uploads = 0;
  let said = UPLOAD_WINDOW_BYTES;
  const settle = (): void => {
    const initialWindowSize = windowOf(uploads);
    if (initialWindowSize === said || session.closed || session.pendingSettingsAck) return;
    said = initialWindowSize;
    session.settings({ initialWindowSize });
  };
  // One at a time is on its way: what changed meanwhile is said when it is acknowledged.
  session.on('localSettings', settle);
  session.on('stream', (stream, _headers, flags) => {
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) return;
    uploads += 1;
    stream.once('close', () => {
      uploads -= 1;
      settle();
    });
    settle();
  });
}

/** In steps of two, so that it is seldom said. */
function windowOf(uploads: number): number {
  const sharers = 2 ** Math.ceil(Math.log2(Math.max(1, uploads)));
  return Math.min(UPLOAD_WINDOW_BYTES, UPLOAD_WINDOWS_BYTES / sharers);
}
