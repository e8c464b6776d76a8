const MAKERS_OF_VIRTUAL_MACHINES =
  /qemu|kvm|bochs|vmware|virtualbox|innotek|\bxen\b|hvm domu|parallels|bhyve|openstack|ovirt|rhev|nutanix ahv|virtual machine|google compute engine|standard pc \(|apple virtualization|linux,dummy-virt/i;

/**
 * Whether the name that a machine gives itself is that of a virtual one.
 *
 * @param model maker and product, of SMBIOS or of the device tree. Microsoft makes computers as well, so its name alone says nothing.
 */
export function isVirtualModel(model: string): boolean {
  return MAKERS_OF_VIRTUAL_MACHINES.test(model);
}
