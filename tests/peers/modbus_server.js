// A Modbus server of somebody else: node modbus_server.js <library> <tcp|rtu> [port of the serial line, or -] [image]
// Holding register a of unit u holds 1000 * u + a, an input register a + 1; a coil is set when a is even,
// a discrete input when 3 divides a. Holding registers and coils can be written. With an image, a file
// {"holding": {"0": 1}, "input": {}}, the registers are those, and others read 0. Prints one line of JSON when it
// is ready.

const [library, transport, place, file] = process.argv.slice(2);
const held = file && JSON.parse(require("fs").readFileSync(file, "utf8"));
const ready = (port) => console.log(JSON.stringify({ ready: true, port }));

function modbusSerial() {
  const { ServerTCP, ServerSerial } = require("modbus-serial");
  const registers = new Map();
  const coils = new Map();
  const memory = {
    getHoldingRegister: (address, unit) =>
        registers.get(address) ?? (held ? held.holding[address] || 0 : 1000 * unit + address),
    setRegister: (address, value) => void registers.set(address, value),
    setCoil: (address, value) => void coils.set(address, value),
    getInputRegister: (address) => (held ? held.input[address] || 0 : address + 1),
    getCoil: (address) => coils.get(address) ?? address % 2 === 0,
    getDiscreteInput: (address) => address % 3 === 0,
  };
  if (transport === "rtu") {
    const server = new ServerSerial(memory, { port: place, baudRate: 115200, unitID: 1 });
    server.on("initialized", () => ready(0));
  } else {
    const server = new ServerTCP(memory, { host: "127.0.0.1", port: 0, unitID: 1 });
    server.on("initialized", () => ready(server._server.address().port));
  }
}

function jsmodbus() {
  const modbus = require("jsmodbus");
  const holding = Buffer.alloc(held ? 0x20000 : 400);
  const input = Buffer.alloc(held ? 0x20000 : 400);
  const coils = Buffer.alloc(25);
  const discrete = Buffer.alloc(25);
  for (const [table, words] of held ? [[holding, held.holding], [input, held.input]] : []) {
    for (const [address, word] of Object.entries(words)) table.writeUInt16BE(word, 2 * address);
  }
  for (let address = 0; !held && address < 200; address += 1) {
    holding.writeUInt16BE(1000 + address, 2 * address);
    input.writeUInt16BE(address + 1, 2 * address);
    if (address % 2 === 0) coils[address >> 3] |= 1 << (address & 7);
    if (address % 3 === 0) discrete[address >> 3] |= 1 << (address & 7);
  }
  const listening = require("net").createServer();
  new modbus.server.TCP(listening, { holding, input, coils, discrete });
  listening.listen(0, "127.0.0.1", () => ready(listening.address().port));
}

({ "modbus-serial": modbusSerial, jsmodbus })[library]();
