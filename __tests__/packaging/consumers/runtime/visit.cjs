// A browser's visit to the app on the README's first page: asks for the account, logs in, comes back, logs out.
const { request } = require('node:http')

module.exports = async function visit(app) {
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const browser = openBrowser(server.address().port)
  const login = await browser('GET', '/account')
  const again = await browser('POST', login, 'email=ann@example.com&password=wrong')
  await browser('GET', again)
  await browser('POST', login, 'email=ann@example.com&password=correct horse')
  await browser('GET', '/account')
  await browser('POST', '/logout')
  await browser('GET', '/account')
  server.close()
}

/** Asks as browsers do for a page, keeps the cookie, prints the answer, and tells where it leads. */
function openBrowser(port) {
  let cookie = ''
  return async function browse(method, path, form = '') {
    const headers = {
      cookie,
      connection: 'close',
      accept: 'text/html',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const response = await new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', method, path, headers }, resolve)
        .on('error', reject)
        .end(form.replaceAll(' ', '+'))
    })
    const body = (await response.toArray()).join('')
    const [line] = response.headers['set-cookie'] ?? []
    if (line !== undefined) cookie = line.slice(0, line.indexOf(';'))
    const { location } = response.headers
    console.log(`${response.statusCode} ${location ?? body}`)
    return location
  }
}
