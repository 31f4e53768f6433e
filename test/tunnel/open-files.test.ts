import { expect } from 'chai';
import { toNwsError } from '../../src/errors.js';
import { MAX_STREAMS, MAX_STREAMS_PER_PEER } from '../../src/limits.js';
import { fittingFiles, openFilesLimit, warnOfFewFiles } from '../../src/tunnel/open-files.js';

describe('tunnel/open-files', () => {
  it('knows the limit of this process', () => {
    expect(openFilesLimit()).to.be.above(32);
  });

  it('leaves some files to everything that is no connection of a client', () => {
    expect(fittingFiles(MAX_STREAMS, Number.POSITIVE_INFINITY)).to.equal(MAX_STREAMS);
    expect(fittingFiles(MAX_STREAMS, 100_000)).to.equal(MAX_STREAMS);
    expect(fittingFiles(MAX_STREAMS, 1_024)).to.equal(896);
    expect(fittingFiles(MAX_STREAMS, 60)).to.equal(30);
    expect(fittingFiles(MAX_STREAMS, 1)).to.equal(1);
  });

  it('tells the operator of a limit under what one client may ask for, and of no other', () => {
    const said: string[] = [];
    const log = { warn: (_facts: object, text: string) => void said.push(text) };
    warnOfFewFiles(log, MAX_STREAMS_PER_PEER + 128);
    expect(said).to.deep.equal([]);
    warnOfFewFiles(log, 1_024);
    expect(said).to.deep.equal([
      'the system lets this process open 1024 files: room for 896 connections',
    ]);
  });

  it('says what to do where a connection fails for it', () => {
    for (const code of ['EMFILE', 'ENFILE']) {
      const error = toNwsError(Object.assign(new Error(`connect ${code}`), { code }));
      expect(error.code).to.equal('connection_limit_reached');
      expect(error.hint).to.include('ulimit -n');
    }
  });
});
