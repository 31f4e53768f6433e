// STUN servers as text, on the wire and in settings. Pure.

export interface HostPort {
  /** A name or an IP address. */
  readonly host: string;
  readonly port: number;
}

const TEXT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/;

/** Reads `host:port`; undefined for anything else. */
export function parseServer(text: string): HostPort | undefined {
  const [, ipv6, name, digits] = TEXT.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

export function formatServer({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
