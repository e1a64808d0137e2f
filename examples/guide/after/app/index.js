const http = require('http');

const version = process.env.VERSION ?? '1';
const server = http.createServer((req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/plain', 'X-Version': version });
  res.end(`version ${version}\n`);
});
server.listen(3000);
// As PID 1 a program gets no default action for a signal: without this, each stop would wait out its grace.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
