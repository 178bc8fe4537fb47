import { once } from 'node:events'
import { createServer, Server as HttpServer, type RequestListener } from 'node:http'
import { Server, type AddressInfo } from 'node:net'

/** Lets a server, or the server of an app, listen on a free loopback port. */
export async function listen<T extends Server>(given: T | RequestListener) {
  const server = given instanceof Server ? given : createServer(given)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    if (server instanceof HttpServer) server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { server, port, url: `http://127.0.0.1:${port}`, close }
}
