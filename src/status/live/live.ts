// The page, live: Server-Sent Events to everyone who looks, once a second, of what changed. Nothing runs while nobody
// does.

import type { ServerResponse } from 'node:http';
import type { Summary } from '../state/report.js';
import { type Subject, summaryOf } from '../state/watch.js';
import type { Samples } from './samples.js';
import { View } from './view.js';

const INTERVAL_MS = 1_000;
/** Viewers at once: each costs some work a second. */
const MAX_VIEWERS = 16;
/** One that doesn't read is left out until it does. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** How long a page waits before it comes back. */
const RETRY_MS = 2_000;

interface Viewer {
  readonly res: ServerResponse;
  readonly view: View;
}

export class Live {
  readonly #subject: Subject;
  readonly #samples: Samples;
  readonly #viewers = new Set<Viewer>();
  readonly #maxViewers: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(subject: Subject, samples: Samples, maxViewers = MAX_VIEWERS) {
    this.#subject = subject;
    this.#samples = samples;
    this.#maxViewers = maxViewers;
  }

  get isFull(): boolean {
    return this.#viewers.size >= this.#maxViewers;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Sends to this one from now on, until it leaves. The head has been written. */
  add(res: ServerResponse, query: URLSearchParams): void {
    const viewer = { res, view: new View(query) };
    res.on('error', () => undefined);
    res.write(`retry: ${RETRY_MS}\n\n`);
    this.#send(viewer, this.#look(), { samples: this.#samples.all });
    this.#viewers.add(viewer);
    res.once('close', () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#stop();
    });
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL_MS).unref();
  }

  /** The pages come back by themselves, to whoever listens then. */
  close(): void {
    this.#stop();
    for (const { res } of this.#viewers) res.end();
  }

  #tick(): void {
    try {
      const summary = this.#look();
      const sample = this.#samples.all.at(-1);
      for (const viewer of this.#viewers) {
        if (viewer.res.writableLength < MAX_UNREAD_BYTES) this.#send(viewer, summary, { sample });
      }
    } catch {
      // A mistake of ours, which is to end nothing but these pages; asked for anew, status.json says what it is.
      this.close();
    }
  }

  #look(): Summary {
    const summary = summaryOf(this.#subject);
    this.#samples.take(summary);
    return summary;
  }

  #send({ res, view }: Viewer, summary: Summary, more: object): void {
    const tables = view.changes(this.#subject);
    res.write(`data: ${JSON.stringify({ at: Date.now(), summary, tables, ...more })}\n\n`);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
