// An exit's side of looking for a path: says how it is reached, through the relays, and probes what the entry names.

import type { Endpoint } from '../../../protocol/direct/endpoint.js';
import type { Path } from '../../../protocol/wire/message.js';
import type { PathKeys } from '../path/keys.js';
import type { Paths } from '../paths.js';
import { Attempt, type Found } from './attempt.js';

/** PATH is answered each time it comes, and so often at most. */
const MAX_ANSWERS = 6;

export interface ExitMeetingOptions {
  readonly paths: Paths;
  readonly key: string;
  readonly keys: PathKeys;
  /** The id of our control stream. */
  readonly stream: number;
  /** Servers that the entry may ask: `host:port` each. */
  readonly stun: readonly string[];
  readonly say: (message: Path) => void;
  /** Called once; `found` is absent where nothing was found. */
  readonly onDone: (found: Found | undefined) => void;
}

export class ExitMeeting {
  readonly #options: ExitMeetingOptions;
  readonly #attempt: Attempt;
  #answers = 0;
  #isDone = false;

  constructor(options: ExitMeetingOptions) {
    const { paths, keys, stream } = options;
    this.#options = options;
    const { socket, judge } = paths;
    const onDone = (found: Found | undefined): void => this.#end(found);
    this.#attempt = new Attempt({ side: 'exit', keys, socket, stream, judge, onDone });
    paths.set(keys.id, this);
  }

  get key(): string {
    return this.#options.key;
  }

  /** PATH of the entry: the first one, or what it found out since. */
  async take({ candidates }: Path): Promise<void> {
    const { paths, key, stun, say } = this.#options;
    this.#attempt.add(candidates);
    if (this.#answers >= MAX_ANSWERS) return;
    this.#answers += 1;
    const outside = await paths.candidates.find([], paths.judge);
    if (this.#isDone) return;
    say({ type: 'PATH', key, candidates: outside.candidates, ...(stun.length > 0 && { stun }) });
  }

  receive(bytes: Buffer, from: Endpoint): void {
    this.#attempt.receive(bytes, from);
  }

  close(): void {
    this.#end(undefined);
  }

  #end(found: Found | undefined): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#attempt.close();
    this.#options.paths.delete(this.#options.keys.id, this);
    this.#options.onDone(found);
  }
}
