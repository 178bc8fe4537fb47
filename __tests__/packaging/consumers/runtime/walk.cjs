// Walks through the article with real requests: stranger, login, user, logout, stranger.
module.exports = async function walk(app) {
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
  const url = `http://127.0.0.1:${server.address().port}`
  let cookie = ''
  const said = []
  for (const path of ['/', '/login', '/', '/logout', '/']) {
    const response = await fetch(url + path, { headers: { cookie, connection: 'close' } })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) cookie = line.slice(0, line.indexOf(';'))
    said.push(await response.text())
  }
  server.close()
  console.log(said.join('\n'))
}
