import { fork } from 'node:child_process'; import net from 'node:net'; import { pino } from 'pino';
import { DirectSocket } from './src/tunnel/direct/socket.js'; import { UdxWire } from './src/tunnel/direct/path/udx-wire.js';
import { WindowPool } from './src/protocol/direct/window.js'; import { secureAsClient, secureAsServer } from './src/tunnel/secured/tls.js';
import { TcpWire } from './src/tunnel/secured/tcp-wire.js'; import { SecuredStream } from './src/tunnel/secured/stream.js';
const N = Number(process.env.N ?? 300e6); const way = process.argv[2]; const role = process.argv[3];
const log = pino({ level: 'silent' }); const secret = Buffer.alloc(32, 7); const key = 'k';
const cpu = () => { const c = process.cpuUsage(); return (c.user + c.system) / 1e6; };
function recv(s: any) { let n = 0, t0 = 0, c0 = 0, chunks = 0; s.on('data', (d: Buffer) => { if (!n) { t0 = performance.now(); c0 = cpu(); } n += d.length; chunks++; if (n >= N) { const t = (performance.now() - t0) / 1e3; console.log(way, 'MB/s', (n / 1e6 / t).toFixed(1), 'recv cpu/100MB', ((cpu() - c0) / (n / 1e8)).toFixed(2), 'chunk', (n / chunks).toFixed(0)); process.exit(); } }); s.on('error', (e: any) => console.log('recv err', e)); }
function sendAll(s: any) { const buf = Buffer.alloc(65536, 3); let sent = 0; const c0 = cpu(); s.on('error', () => {}); const go = () => { while (sent < N) { sent += buf.length; if (!s.write(buf)) { s.once('drain', go); return; } } }; go(); return () => ((cpu() - c0) / (N / 1e8)).toFixed(2); }
if (role === 'child') {
  if (way === 'tcp') { const srv = net.createServer({ allowHalfOpen: true }, async (c) => recv(new SecuredStream(await secureAsServer((f) => new TcpWire(c, f), { key, secret, timeoutMs: 5000 })))); srv.listen(0, '127.0.0.1', () => process.send!((srv.address() as any).port)); }
  else { const sock = await DirectSocket.open({ port: 0 }, log); const id = sock.newId(); process.on('message', async (m: any) => { const st = sock.connect(id, m.id, { address: '127.0.0.1', port: m.port }); process.send!('go'); recv(new SecuredStream(await secureAsServer((f) => new UdxWire(st, new WindowPool(64 << 20), f), { key, secret, timeoutMs: 5000 }))); }); process.send!({ id, port: sock.port }); }
} else {
  const ch = fork(process.argv[1]!, [way!, 'child'], { execArgv: [...(process.env.PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/dbench'] : []), '--import', 'tsx'] }); let report: any;
  ch.on('exit', () => { console.log('  send cpu/100MB', report()); process.exit(); });
  if (way === 'tcp') ch.once('message', (port: any) => { const c = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, async () => { report = sendAll(new SecuredStream(await secureAsClient((f) => new TcpWire(c, f), { key, secret, timeoutMs: 5000 }))); }); });
  else { const sock = await DirectSocket.open({ port: 0 }, log); const id = sock.newId(); ch.on('message', async (m: any) => { if (m === 'go') { report = sendAll(new SecuredStream(await secureAsClient((f) => new UdxWire(st, new WindowPool(64 << 20), f), { key, secret, timeoutMs: 5000 }))); return; } st = sock.connect(id, m.id, { address: '127.0.0.1', port: m.port }); ch.send({ id, port: sock.port }); }); let st: any; }
}
