// One contender as a process of its own, started by contender.ts: `node server.js <module> <setup>`.
// It stands behind a TLS proxy, as most Express apps in production do. The load driver plays the proxy.
import { createServer } from 'node:http'
import { Session, type Profiler } from 'node:inspector/promises'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'

export type Profile = Profiler.Profile

/** What a contender's `mount` gets. */
export interface Setup {
  /** The build of the package under test. */
  readonly build: string
  /** To name things by in shared servers. */
  readonly tag: string
  /** For sid-slow: how long a lookup takes, in milliseconds; `null` for ever. */
  readonly delay?: number | null
}

/** What may be left to do at the end. */
export interface Mounted {
  close(): unknown
}

export type Mount = (app: Express, setup: Setup) => void | Mounted | Promise<void | Mounted>

/** What the server sends to its parent. */
export interface Message {
  readonly port?: number
  readonly cpu?: NodeJS.CpuUsage
  readonly profile?: Profile
}

const send = (message: Message) => process.send!(message)
const [module, setup] = process.argv.slice(2)
const { mount } = (await import(module!)) as { mount: Mount }

const app = express()
app.set('trust proxy', 1)
const mounted = await mount(app, JSON.parse(setup!))

const server = createServer(app)
// The others idle while one is under load. They must find their connections open when it is their turn.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', 4096, () => send({ port: (server.address() as AddressInfo).port }))

const inspector = new Session()

const replies: Record<string, () => unknown> = {
  cpu: () => send({ cpu: process.cpuUsage() }),
  async startProfile() {
    inspector.connect()
    await inspector.post('Profiler.enable')
    await inspector.post('Profiler.setSamplingInterval', { interval: 100 })
    await inspector.post('Profiler.start')
    send({})
  },
  async stopProfile() {
    const { profile } = await inspector.post('Profiler.stop')
    send({ profile })
  },
  async close() {
    server.closeAllConnections()
    if (mounted) await mounted.close()
    process.exit()
  },
}
process.on('message', (question: string) => void replies[question]?.())
process.on('disconnect', () => process.exit())
