// Package libvirt stands in for the bindings of that name: minikube's kvm2 driver compiles, and says that it is absent.
//
// The real ones are C: they need a compiler and libvirt's headers, for the one driver that labs here have a backend of
// their own for.
package libvirt

type (
	ErrorNumber                    int
	DomainState                    int
	DomainXMLFlags                 uint
	DomainShutdownFlags            uint
	DomainUndefineFlagsValues      uint
	DomainInterfaceAddressesSource uint
	ConnectListAllDomainsFlags     uint
	NetworkXMLFlags                uint
	NetworkUpdateCommand           uint
	NetworkUpdateSection           uint
	NetworkUpdateFlags             uint
)

const (
	ERR_OK             ErrorNumber = 0
	ERR_INTERNAL_ERROR ErrorNumber = 1
	ERR_NO_NETWORK     ErrorNumber = 43
)

const (
	DOMAIN_NOSTATE DomainState = iota
	DOMAIN_RUNNING
	DOMAIN_BLOCKED
	DOMAIN_PAUSED
	DOMAIN_SHUTDOWN
	DOMAIN_SHUTOFF
	DOMAIN_CRASHED
	DOMAIN_PMSUSPENDED
)

const (
	DOMAIN_XML_SECURE                    DomainXMLFlags                 = 1
	DOMAIN_XML_INACTIVE                  DomainXMLFlags                 = 2
	DOMAIN_SHUTDOWN_DEFAULT              DomainShutdownFlags            = 0
	DOMAIN_SHUTDOWN_ACPI_POWER_BTN       DomainShutdownFlags            = 1
	DOMAIN_UNDEFINE_KEEP_NVRAM           DomainUndefineFlagsValues      = 8
	DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE DomainInterfaceAddressesSource = 0
	DOMAIN_INTERFACE_ADDRESSES_SRC_ARP   DomainInterfaceAddressesSource = 2
	NETWORK_UPDATE_COMMAND_DELETE        NetworkUpdateCommand           = 2
	NETWORK_UPDATE_COMMAND_ADD_LAST      NetworkUpdateCommand           = 3
	NETWORK_SECTION_IP_DHCP_HOST         NetworkUpdateSection           = 4
	NETWORK_UPDATE_AFFECT_LIVE           NetworkUpdateFlags             = 1
	NETWORK_UPDATE_AFFECT_CONFIG         NetworkUpdateFlags             = 2
)

var errAbsent error = Error{ERR_INTERNAL_ERROR, "this minikube has no kvm2 driver: use the backend libvirt, or a minikube of the publisher"}

type Error struct {
	Code    ErrorNumber
	Message string
}

func (e Error) Error() string { return e.Message }

type (
	Connect struct{}
	Domain  struct{}
	Network struct{}
)

type DomainIPAddress struct{ Addr string }

type DomainInterface struct {
	Name   string
	Hwaddr string
	Addrs  []DomainIPAddress
}

type NetworkDHCPLease struct{ Mac, IPaddr, Hostname string }

func NewConnect(string) (*Connect, error) { return nil, errAbsent }

func (*Connect) Close() (int, error)                                         { return 0, errAbsent }
func (*Connect) GetLibVersion() (uint32, error)                              { return 0, errAbsent }
func (*Connect) ListDefinedDomains() ([]string, error)                       { return nil, errAbsent }
func (*Connect) ListAllDomains(ConnectListAllDomainsFlags) ([]Domain, error) { return nil, errAbsent }
func (*Connect) LookupDomainByName(string) (*Domain, error)                  { return nil, errAbsent }
func (*Connect) DomainDefineXML(string) (*Domain, error)                     { return nil, errAbsent }
func (*Connect) LookupNetworkByName(string) (*Network, error)                { return nil, errAbsent }
func (*Connect) NetworkDefineXML(string) (*Network, error)                   { return nil, errAbsent }

func (*Domain) Free() error                                   { return errAbsent }
func (*Domain) Create() error                                 { return errAbsent }
func (*Domain) Destroy() error                                { return errAbsent }
func (*Domain) Shutdown() error                               { return errAbsent }
func (*Domain) ShutdownFlags(DomainShutdownFlags) error       { return errAbsent }
func (*Domain) UndefineFlags(DomainUndefineFlagsValues) error { return errAbsent }
func (*Domain) IsActive() (bool, error)                       { return false, errAbsent }
func (*Domain) GetName() (string, error)                      { return "", errAbsent }
func (*Domain) GetState() (DomainState, int, error)           { return DOMAIN_NOSTATE, 0, errAbsent }
func (*Domain) GetXMLDesc(DomainXMLFlags) (string, error)     { return "", errAbsent }
func (*Domain) ListAllInterfaceAddresses(DomainInterfaceAddressesSource) ([]DomainInterface, error) {
	return nil, errAbsent
}

func (*Network) Free() error                                { return errAbsent }
func (*Network) Create() error                              { return errAbsent }
func (*Network) Destroy() error                             { return errAbsent }
func (*Network) Undefine() error                            { return errAbsent }
func (*Network) IsActive() (bool, error)                    { return false, errAbsent }
func (*Network) GetAutostart() (bool, error)                { return false, errAbsent }
func (*Network) SetAutostart(bool) error                    { return errAbsent }
func (*Network) GetXMLDesc(NetworkXMLFlags) (string, error) { return "", errAbsent }
func (*Network) GetDHCPLeases() ([]NetworkDHCPLease, error) { return nil, errAbsent }
func (*Network) Update(NetworkUpdateCommand, NetworkUpdateSection, int, string, NetworkUpdateFlags) error {
	return errAbsent
}
