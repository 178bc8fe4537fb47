import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Passes bytes to a Redis server and back, and can lose an answer as a failing network does. */
export class RedisProxy {
  readonly #server = createServer((client) => this.#pass(client))
  readonly #sockets = new Set<Socket>()
  #loses = false

  private constructor(private readonly target: number) {}

  static async start(target: number): Promise<RedisProxy> {
    const proxy = new RedisProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The server does what it is told next, and the connection ends before its answer arrives. */
  loseNextAnswer(): void {
    this.#loses = true
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(client: Socket): void {
    const redis = connect(this.target, '127.0.0.1')
    for (const socket of [client, redis]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        redis.destroy()
      })
    }
    client.pipe(redis)
    redis.on('data', (answer) => {
      if (this.#loses) client.destroy()
      else client.write(answer)
      this.#loses = false
    })
  }
}
