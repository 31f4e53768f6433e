// Certificates in PEM, as many as come: read, told apart, written.

/** Each certificate as its base64 alone, which is the same however its lines are broken. */
export type Certificates = Set<string>;

const BLOCK = /-----BEGIN (X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END \1?CERTIFICATE-----/g;

export function certificatesIn(text: string): Certificates {
  return new Set([...text.matchAll(BLOCK)].map(([, , body = '']) => body.replace(/\s/g, '')));
}

export function toPem(certificates: Certificates): string {
  const blocks = [...certificates].map((base64) => {
    const lines = base64.match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  });
  return blocks.join('');
}

/** All of them, each once. */
export function union(...sets: readonly Certificates[]): Certificates {
  return new Set(sets.flatMap((set) => [...set]));
}

export function without(set: Certificates, left: Certificates): Certificates {
  return new Set([...set].filter((certificate) => !left.has(certificate)));
}
