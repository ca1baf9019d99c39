// Never gets ready.
process.on('SIGINT', () => process.exit(0));
process.stdout.write('Loading\n');
setInterval(() => {}, 60_000);
