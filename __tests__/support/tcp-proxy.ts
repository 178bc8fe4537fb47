import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Passes bytes to a server and back, and fails as networks do. */
export class TcpProxy {
  readonly #server = createServer((client) => this.#pass(client))
  readonly #sockets = new Set<Socket>()
  #state: 'open' | 'cut' | 'silent' = 'open'

  private constructor(private readonly target: number) {}

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size / 2
  }

  /** Ends all connections, and refuses new ones. */
  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Passes nothing any more, and says so to nobody: connections stay open, new ones are taken. */
  silence(): void {
    this.#state = 'silent'
    for (const socket of this.#sockets) socket.unpipe()
  }

  /** Passes everything again. What was silent stays so: it has lost bytes. */
  mend(): void {
    this.#state = 'open'
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(client: Socket): void {
    if (this.#state === 'cut') return void client.destroy()
    const server = connect(this.target, '127.0.0.1')
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    if (this.#state === 'silent') return
    client.pipe(server)
    server.pipe(client)
  }
}
