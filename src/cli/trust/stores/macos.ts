// The login keychain of macOS. `security` asks for the user's password by itself.

import { X509Certificate } from 'node:crypto';
import type { FindStores } from '../store.js';

export const keychainStores: FindStores = async (ca, machine) => {
  if (machine.platform !== 'darwin') return [];
  const keychain = `${machine.userHome}/Library/Keychains/login.keychain-db`;
  const sha1 = new X509Certificate(ca.pem).fingerprint.replaceAll(':', '');
  return [
    {
      name: 'the login keychain (macOS)',
      usedBy: 'Safari, Chrome, curl and others',
      install: [['security', 'add-trusted-cert', '-r', 'trustRoot', '-k', keychain, ca.path]],
      uninstall: [
        ['security', 'remove-trusted-cert', ca.path],
        ['security', 'delete-certificate', '-Z', sha1, keychain],
      ],
      isTrusting: () => machine.asks(['security', 'verify-cert', '-q', '-l', '-c', ca.path]),
    },
  ];
};
