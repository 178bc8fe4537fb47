import { sidebar } from './sidebar.js'

/** Every page, one click away: on a phone the sidebar is not in sight. */
const map = sidebar.map(({ text, items }) => {
  const links = items.map((item) => `[${item.text}](${item.link})`)
  return `**${text}**: ${links.join(', ')}\n`
})

/** The first page of the site. */
export const home = `---
layout: home
title: express-sid
hero:
  name: express-sid
  text: Who is asking?
  tagline: Sessions for Express. A logout that is final, a login that is kept, a cookie that is useless to a thief.
  actions:
    - { theme: brand, text: Start, link: /start }
    - { theme: alt, text: Concepts, link: /concepts }
    - { theme: alt, text: When it does not work, link: /troubleshooting }
features:
  - title: One line
    details: app.use(sessionMiddleware()) sets req.user. login(), logout() and requireUser() are the rest.
    link: /start
  - title: Stolen cookies die
    details: Secrets rotate. The use of an old one ends the session, and tells you.
    link: /stolen-cookies
  - title: Your database
    details: Memory, SQLite, Redis, PostgreSQL, MySQL, or any store of express-session. What each promises is tested.
    link: /stores
  - title: Guides
    details: Single-page apps, command lines, WebSockets, identity providers, tests and more.
    link: /guides
  - title: A page for each error
    details: What it means, where it comes from, what to do.
    link: /errors/
  - title: To operate
    details: Health check, metrics, traces, a dashboard and alerts.
    link: /operating
---

## All pages

${map.join('\n')}`
