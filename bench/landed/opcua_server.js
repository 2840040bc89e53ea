// Variables that all change: node opcua_server.js PORT COUNT MILLISECONDS. Prints one line of JSON when ready.
"use strict";
const opcua = require("node-opcua");

async function main(port, count, milliseconds) {
  const server = new opcua.OPCUAServer({
    port: Number(port),
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    securityPolicies: [opcua.SecurityPolicy.None],
    securityModes: [opcua.MessageSecurityMode.None],
    allowAnonymous: true,
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace("urn:floorhand:bench");
  const plant = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Plant" });
  const variables = [...Array(Number(count)).keys()].map((number) =>
    own.addVariable({ componentOf: plant, browseName: `v${number}`, nodeId: `s=v${number}`, dataType: "Double" }));
  let turn = 0;
  setInterval(() => {
    turn += 1;
    variables.forEach((each, number) =>
      each.setValueFromSource({ dataType: opcua.DataType.Double, value: turn + number / 1000 }));
  }, Number(milliseconds));
  await server.start();
  console.log(JSON.stringify({ ready: true }));
}

main(...process.argv.slice(2));
