// The library's own session is that of express-sid.
const assert = require('node:assert/strict')
const express = require('express')
const sid = require('express-sid/express-session')
const addSession = require('library')

const fromLibrary = require.resolve('express-session', { paths: [require.resolve('library')] })
assert.equal(require(fromLibrary), sid)

const app = express()
addSession(app)
app.get('/', (req, res) => {
  assert(req.session instanceof sid.Session)
  req.session.n = (req.session.n ?? 0) + 1
  res.json(req.session.n)
})
const server = app.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`
  const first = await fetch(url)
  const cookie = first.headers.getSetCookie()[0].split(';')[0]
  const second = await fetch(url, { headers: { cookie } })
  console.log(JSON.stringify([await first.json(), await second.json()]))
  server.closeAllConnections()
  server.close()
})
