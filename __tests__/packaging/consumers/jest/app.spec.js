const express = require('express')
const { login, logout, requireUser, sessionMiddleware } = require('express-sid')
const { storeContract } = require('express-sid/testing')
const { sqliteStore } = require('express-sid/sqlite')

test('the package loads under Jest, which can not require ES modules', () => {
  expect([sessionMiddleware, storeContract, sqliteStore].map((found) => typeof found)).toEqual(
    Array.from({ length: 3 }, () => 'function'),
  )
})

test('and serves requests there', async () => {
  const app = express()
  app.use(sessionMiddleware())
  app.post(
    '/login',
    login(() => ({ id: 'ann' })),
  )
  app.post('/logout', logout())
  app.get('/me', requireUser(), (req, res) => res.json(req.user))
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const ask = (method, path, cookie = '') =>
    fetch(`http://127.0.0.1:${server.address().port}${path}`, {
      method,
      headers: { cookie, connection: 'close' },
    })

  const cookie = (await ask('POST', '/login')).headers.getSetCookie()[0].split(';')[0]
  expect(await (await ask('GET', '/me', cookie)).json()).toEqual({ id: 'ann' })
  await ask('POST', '/logout', cookie)
  expect((await ask('GET', '/me', cookie)).status).toBe(401)
  server.close()
})
