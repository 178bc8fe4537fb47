// One contender as a process of its own, started by lib/contender.js: `node lib/server.js <module> <settings>`.
// Behind a TLS proxy, as Express apps are in production: the load generator plays the proxy.
import { createServer } from 'node:http'
import express from 'express'

const [module, settings] = process.argv.slice(2)
const { mount } = await import(module)

const app = express()
app.set('trust proxy', 1)
const { close } = (await mount(app, JSON.parse(settings))) ?? {}

const server = createServer(app)
// The others idle while one is under load; they must find their connections open when it is their turn.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', 4096, () => process.send({ port: server.address().port }))

async function end() {
  server.closeAllConnections()
  await close?.()
  process.exit()
}

process.on('message', (message) => {
  if (message === 'cpu') process.send({ cpu: process.cpuUsage() })
  if (message === 'close') void end()
})
process.on('disconnect', () => process.exit())
