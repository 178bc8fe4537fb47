// The default theme without its font: pages use that of the system, and load nothing that they don't need.
import theme from 'vitepress/theme-without-fonts'
// oxlint-disable-next-line import/no-unassigned-import -- a style sheet
import './contrast.css'

export default theme
