// The optional package udx-native (reliable streams over UDP), and as much of its types as is used here.

import type { EventEmitter } from 'node:events';
import { NwsError } from '../../errors.js';

export interface UdxFrom {
  readonly host: string;
  readonly port: number;
}

export interface UdxSocket extends EventEmitter {
  bind(port?: number, host?: string): void;
  address(): { readonly host: string; readonly port: number } | null;
  trySend(bytes: Buffer, port: number, host: string): void;
  setRecvBufferSize(bytes: number): void;
  setSendBufferSize(bytes: number): void;
  close(): Promise<void>;
}

/** A duplex stream of streamx, not of Node. */
export interface UdxStream extends EventEmitter {
  readonly id: number;
  readonly destroyed: boolean;
  readonly destroying: boolean;
  readonly bytesReceived: number;
  readonly bytesTransmitted: number;
  readonly packetsReceived: number;
  connect(socket: UdxSocket, remoteId: number, port: number, host: string): void;
  write(bytes: Buffer): boolean;
  end(): void;
  destroy(error?: Error): void;
}

export interface Udx {
  createSocket(): UdxSocket;
  createStream(id: number): UdxStream;
}

/** @throws NwsError `bad_config` where the package isn't installed, or not made for this machine. */
export async function loadUdx(): Promise<Udx> {
  try {
    // Without types of its own.
    const name: string = 'udx-native';
    const { default: Loaded } = (await import(name)) as { default: new () => Udx };
    return new Loaded();
  } catch (cause) {
    const message = '--direct needs the package udx-native, which is not installed here';
    const hint = 'npm install udx-native, or leave --direct out';
    throw new NwsError('bad_config', message, { hint, cause });
  }
}
