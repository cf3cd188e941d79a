#!/usr/bin/env node
// Committed, and not built, because npm links a command at install time and only where its file exists.
await import('../bundle/main.js')
