// Machines as the standards define them, by node-opcua and the published node sets: node standards_server.js PORT FOLDER
// Below Objects of the namespace urn:example:line a Filler (PackMLBaseObjectType, OPC 30050) and a Mill7
// (MachineToolType, OPC 40501-1) in the Machines folder of OPC 40001-1. Nothing is signed. Prints one line of JSON
// when ready; afterwards each line on stdin, {"machine": ..., "path": "A/B/CurrentState", "type": ..., "value": ...}
// with no value for a variable that has none, is written, and answered with one line.
"use strict";
const readline = require("readline");
const opcua = require("node-opcua");

const { nodesets } = opcua;
const PACKML = "http://opcfoundation.org/UA/PackML/";

function child(node, name) {
  const found = node.findReferencesExAsObject("HierarchicalReferences").find((each) => each.browseName.name === name);
  if (!found) throw new Error(`${node.browseName.toString()} has no ${name}`);
  return found;
}

function write(machines, { machine, path, type, value }) {
  const node = path.split("/").reduce(child, machines[machine]);
  const absent = value === undefined;
  node.setValueFromSource(
    absent ? { dataType: opcua.DataType.Null } : variant(node.addressSpace, type, value),
    absent ? opcua.StatusCodes.BadStateNotActive : opcua.StatusCodes.Good
  );
}

function variant(space, type, value) {
  if (type === "LocalizedText") return { dataType: opcua.DataType.LocalizedText, value: { text: value } };
  if (type in opcua.DataType) return { dataType: opcua.DataType[type], value };
  const structure = space.findDataType(type, space.getNamespaceIndex(PACKML));
  const made = (fields) => space.constructExtensionObject(structure, fields);
  const dataType = opcua.DataType.ExtensionObject;
  if (!Array.isArray(value)) return { dataType, value: made(value) };
  return { dataType, arrayType: opcua.VariantArrayType.Array, value: value.map(made) };
}

async function main(port, folder) {
  const trusting = new opcua.OPCUACertificateManager({ automaticallyAcceptUnknownCertificate: true, rootFolder: folder });
  await trusting.initialize();
  const server = new opcua.OPCUAServer({
    port: Number(port),
    host: "127.0.0.1",
    serverCertificateManager: trusting,
    securityPolicies: [opcua.SecurityPolicy.None],
    securityModes: [opcua.MessageSecurityMode.None],
    nodeset_filename: [
      nodesets.standard, nodesets.di, nodesets.packML, nodesets.machinery, nodesets.ia, nodesets.isa95JobControl,
      nodesets.machineryJobs, nodesets.machineTool,
    ].filter(Boolean),
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace("urn:example:line");
  const type = (name, uri) => space.findObjectType(name, space.getNamespaceIndex(uri));
  const folderOfMachines = space.rootFolder.objects.getFolderElementByName("Machines");
  const machines = {
    Filler: type("PackMLBaseObjectType", PACKML).instantiate({
      browseName: { name: "Filler", namespaceIndex: own.index },
      organizedBy: space.rootFolder.objects,
      optionals: ["Admin.ProdProcessedCount", "Admin.ProdDefectiveCount", "Admin.StopReason"],
    }),
    Mill7: type("MachineToolType", "http://opcfoundation.org/UA/MachineTool/").instantiate({
      browseName: { name: "Mill7", namespaceIndex: own.index },
      organizedBy: folderOfMachines,
      optionals: [
        "Production.Statistics", "Production.Statistics.PartsProducedInLifetime",
        "Monitoring.MachineTool.PowerOnDuration", "Monitoring.MachineTool.FeedOverride",
      ],
    }),
  };
  await server.start();
  console.log(JSON.stringify({ ready: true }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    write(machines, JSON.parse(line));
    console.log("{}");
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
