// What a SOCKS5 client and the proxy say to each other until it is known where to connect to.
//
//   methods → choice → (user, password → answer) → request → what is asked for
//
// Pure: bytes go in as they come, steps come out, whatever pieces the bytes came in. What becomes of the request is
// answered by whoever serves it.

import type { NwsError } from '../../errors.js';
import type { HostPort } from '../../http/host-port.js';
import {
  answer,
  choice,
  loginAnswer,
  METHOD,
  REPLY,
  type Read,
  type Reply,
  readGreeting,
  readLogin,
  readRequest,
  SocksFault,
  VERSION_4,
} from './messages.js';

export type Step =
  /** More has to come from the client, or judged() has to be called. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** Who the client says that it is; judged() goes on. */
  | { readonly kind: 'login'; readonly user: string; readonly password: string }
  /** The end: where to, and what the client has said beyond it. */
  | { readonly kind: 'asked'; readonly at: HostPort; readonly rest: Buffer }
  /** The end, behind some last bytes. */
  | Refused;

export interface Refused {
  readonly kind: 'refused';
  readonly bytes: Buffer;
  readonly failure: NwsError;
}

type Phase = 'greeting' | 'login' | 'judging' | 'request' | 'over';

const WAIT: Step = { kind: 'wait' };
const NO_LOGIN = {
  code: 'proxy_auth_required',
  hint: 'give user and password like this: socks5h://user:password@host:port',
} as const;

export class Handshake {
  readonly #wantsLogin: boolean;
  #phase: Phase = 'greeting';
  #bytes: Buffer = Buffer.alloc(0);

  constructor(wantsLogin: boolean) {
    this.#wantsLogin = wantsLogin;
  }

  take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  /** What to do next; to be asked until it says `wait`, or has come to an end. */
  next(): Step {
    try {
      return this.#next();
    } catch (error) {
      if (error instanceof SocksFault) return this.refuse(error);
      throw error;
    }
  }

  /** Whether the last `login` was right. */
  judged(isRight: boolean): Step {
    if (isRight) return this.#go('request', loginAnswer(true));
    const message = 'the client gave a wrong user or password, or too many of them';
    this.#phase = 'login';
    return this.refuse(new SocksFault(message, NO_LOGIN));
  }

  /** Breaks it off. The last bytes are such that the client understands them where it stands. */
  refuse({ failure, reply }: SocksFault): Refused {
    const bytes = this.#lastBytes(reply);
    this.#phase = 'over';
    return { kind: 'refused', bytes, failure };
  }

  #next(): Step {
    switch (this.#phase) {
      case 'greeting':
        if (this.#bytes[0] === VERSION_4) return this.#refuse4();
        return this.#choose(this.#read(readGreeting));
      case 'login':
        return this.#login(this.#read(readLogin));
      case 'request':
        return this.#ask(this.#read(readRequest));
      default:
        return WAIT;
    }
  }

  /** Without a word, which it would not understand. */
  #refuse4(): Refused {
    this.#phase = 'over';
    const hint = 'use SOCKS5 with names: socks5h://host:port, or curl --socks5-hostname';
    return this.refuse(new SocksFault('the client speaks SOCKS4', { hint }));
  }

  #choose(methods: readonly number[] | undefined): Step {
    if (methods === undefined) return WAIT;
    const canLogin = methods.includes(METHOD.login);
    if (!this.#wantsLogin && methods.includes(METHOD.none)) {
      return this.#go('request', choice(METHOD.none));
    }
    // A client that insists may say who it is also where nobody asks, as in HTTP.
    if (canLogin) return this.#go('login', choice(METHOD.login));
    if (this.#wantsLogin) {
      throw new SocksFault('the proxy wants a user and a password', NO_LOGIN);
    }
    throw new SocksFault('the client offers no way to go without a login');
  }

  #login(login: { user: string; password: string } | undefined): Step {
    if (login === undefined) return WAIT;
    if (!this.#wantsLogin) return this.#go('request', loginAnswer(true));
    this.#phase = 'judging';
    return { kind: 'login', ...login };
  }

  #ask(at: HostPort | undefined): Step {
    if (at === undefined) return WAIT;
    this.#phase = 'over';
    return { kind: 'asked', at, rest: this.#bytes };
  }

  #go(phase: Phase, bytes: Buffer): Step {
    this.#phase = phase;
    return { kind: 'send', bytes };
  }

  #lastBytes(reply: Reply): Buffer {
    switch (this.#phase) {
      case 'greeting':
        return choice(METHOD.unacceptable);
      case 'login':
      case 'judging':
        return loginAnswer(false);
      case 'request':
        return answer(reply === REPLY.succeeded ? REPLY.failure : reply);
      case 'over':
        return Buffer.alloc(0);
    }
  }

  #read<T>(read: (bytes: Buffer) => Read<T>): T | undefined {
    const found = read(this.#bytes);
    if (found === undefined) return undefined;
    this.#bytes = this.#bytes.subarray(found.length);
    return found.value;
  }
}
