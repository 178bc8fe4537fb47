import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/**
 * A proxy that ends TLS for a server on this machine, as one stands in front of an app in production. Its certificate is
 * its own: a browser must be told to ignore that.
 *
 * @param file names the files of the certificate
 * @param visitor the address that all its visitors have
 */
export async function tlsFront(file: (name: string) => string, target: number, visitor: string) {
  const [key, cert] = [file('key.pem'), file('cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', ...kind, ...names], { stdio: 'ignore' })
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (req, res) => {
    // The Host of the browser stays.
    const headers = { ...req.headers, 'x-forwarded-for': visitor, 'x-forwarded-proto': 'https' }
    const { method, url: path } = req
    const passed = request({ host: '127.0.0.1', port: target, method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(res)
    })
    passed.on('error', () => res.destroy())
    req.pipe(passed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
