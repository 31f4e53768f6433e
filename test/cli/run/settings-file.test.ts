// Settings files as git, npm and pip write them.

import { expect } from 'chai';
import { settingsIn } from '../../../src/cli/run/settings-file.js';

describe('nws run: settings files', () => {
  it('reads what git writes', () => {
    const text = `# mine
[user]
\tname = Jo # no; comment
[http]
\tsslCAInfo = ~/corp.pem
[http "https://a.example/[x"] proxy = "http://x:\\"#1\\""
[http "https://b.example"]
  sslVerify
  sslCAInfo="C:\\\\ca.pem" ; theirs
`;
    expect(settingsIn(text)).to.deep.equal([
      { section: 'user', key: 'name', value: 'Jo' },
      { section: 'http', key: 'sslcainfo', value: '~/corp.pem' },
      { section: 'http', key: 'proxy', value: 'http://x:"#1"' },
      { section: 'http', key: 'sslcainfo', value: 'C:\\ca.pem' },
    ]);
  });

  it('reads what npm and pip write', () => {
    const text = `; npm
cafile=/etc/corp.pem
ca[]="first\\nsecond"
//registry.example/:_authToken=secret
empty =
[global]
cert = /etc/corp#1.pem\r
`;
    expect(settingsIn(text)).to.deep.equal([
      { section: '', key: 'cafile', value: '/etc/corp.pem' },
      { section: '', key: 'ca', value: 'first\nsecond' },
      { section: '', key: 'empty', value: '' },
      { section: 'global', key: 'cert', value: '/etc/corp#1.pem' },
    ]);
    expect(settingsIn('')).to.deep.equal([]);
  });
});
