// Shows a prompt and never reacts to anything.
process.on('SIGINT', () => process.exit(0));
process.stdin.setRawMode(true).resume();
process.stdout.write('\x1b[2J\x1b[HHello.\r\n> ');
