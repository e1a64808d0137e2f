const http = require('http');

const version = process.env.VERSION ?? '1';
const headers = { 'Content-Type': 'text/plain', 'X-Version': version };

const server = http.createServer((req, res) => {
  if (req.method === 'GET' && req.url === '/') {
    res.writeHead(200, headers);
    res.end(`version ${version}\n`);
  } else if (req.method === 'POST' && req.url === '/echo') {
    res.writeHead(200, headers);
    req.pipe(res);
  } else {
    res.writeHead(404, headers);
    res.end('Not Found');
  }
});

const PORT = 3000;
server.listen(PORT, () => console.log(`version ${version} listens on ${PORT}`));

// As PID 1 a program gets no default action for a signal: without this, each stop would wait out its grace.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
